"""Transfers, in a module named as in IBM's SDK: `ibm_boto3.s3.transfer`."""

from aiocos.ibm_boto3.s3 import transfer

__all__ = ["transfer"]
