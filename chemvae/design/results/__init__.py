"""What a campaign returns, and the pages and figures made of it."""
