from services.extractor.extract import extractor

lambda_handler = extractor()
