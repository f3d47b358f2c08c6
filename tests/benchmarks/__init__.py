"""The measuring tools themselves: an oracle that is wrong proves nothing."""
