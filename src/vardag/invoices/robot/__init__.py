"""The robot: from the mail to the journal entry, alone or with a person, as a single round or as a service."""

from vardag.invoices.robot.desk import Mode, Robot
from vardag.invoices.robot.intake import take_in
from vardag.invoices.robot.service import Tally, run_once, serve
from vardag.invoices.robot.work import file_mail, mail_of, request_of, work

__all__ = ["Mode", "Robot", "Tally", "file_mail", "mail_of", "request_of", "run_once", "serve", "take_in", "work"]
