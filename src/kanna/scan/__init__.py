"""Is this file safe? Clean, suspicious or dangerous, and exactly why."""
