"""Who the caller is: credentials, the tokens they are traded for, and the signatures they make."""
