"""Behind the verbs: from a call to a request, and back into the score."""
