"""What the command line and the desk ask of the robot's database: init, check, status, show, report, verify."""
