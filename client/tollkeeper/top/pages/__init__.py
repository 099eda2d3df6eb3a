"""The pages of the dashboard, one for each tab."""
