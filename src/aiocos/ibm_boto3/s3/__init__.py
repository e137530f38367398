"""`ibm_boto3.s3`."""

from aiocos.ibm_boto3.s3 import transfer

__all__ = ["transfer"]
