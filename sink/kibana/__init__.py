"""
What the sink sets up in Kibana: by command, and beside the daemon's work.
"""
