"""Articles, with authd for the login: all read, who is signed in writes, editors delete."""
