"""The robot: along the map from the mail to the journal entry, alone or with a person, once or as a service."""

from vardag.invoices.robot.desk import Mode, Robot
from vardag.invoices.robot.filing import file_mail
from vardag.invoices.robot.intake import take_in
from vardag.invoices.robot.service import Tally, run_once, serve
from vardag.invoices.robot.steps import mail_of, request_of
from vardag.invoices.robot.work import work

__all__ = ["Mode", "Robot", "Tally", "file_mail", "mail_of", "request_of", "run_once", "serve", "take_in", "work"]
