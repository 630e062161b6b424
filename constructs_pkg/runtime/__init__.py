"""Sources of deployed Lambda functions, deployed as they lie: relative imports, the standard library and boto3 only."""
