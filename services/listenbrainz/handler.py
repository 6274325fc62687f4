from services.listenbrainz.collect import collector

lambda_handler = collector()
