from services.report.report import reporter

lambda_handler = reporter()
