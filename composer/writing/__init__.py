"""Behind the verbs: settings and constraints become a request, and its notes a score."""
