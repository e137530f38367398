"""An asyncio-native client for IBM Cloud Object Storage."""
