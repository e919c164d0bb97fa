"""Any file or stream that FFmpeg reads -> gray frames on an exact clock."""
