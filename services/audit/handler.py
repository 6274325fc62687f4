from services.audit.audit import auditor

lambda_handler = auditor()
