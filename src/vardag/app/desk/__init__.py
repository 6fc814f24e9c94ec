"""The caseworkers' desk: a web page over the robot's database, rendered here, that works without scripts.

::

    site       puts the application together from the rooms below: the place to add one
    rights     which role may do what, in one table
    door       every request goes through it: session, right, form token, size, and errors as pages
    visit      what a page is given: who is there, in which language, and how to render
    signing    sign in and out, with a password or vouched for by a reverse proxy
    queue_page, item_page, decision_page, suggestions_page, report_page, log_page, people_page, me_page
"""

from vardag.app.desk.site import build

__all__ = ["build"]
