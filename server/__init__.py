"""What stands between the network and the pages: the door, and the routes beside the pages."""
