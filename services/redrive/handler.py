from services.redrive.redrive import redriver

lambda_handler = redriver()
