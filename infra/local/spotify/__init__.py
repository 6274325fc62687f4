"""A simulator of the Spotify Web API: real songs, a modelled popularity, and a history of every week."""
