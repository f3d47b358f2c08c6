"""What lock files declare: read on demand, one file for each family of formats."""
