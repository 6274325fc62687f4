"""A simulator of ListenBrainz: sitewide statistics of the week and the metadata of recordings, over HTTP."""
