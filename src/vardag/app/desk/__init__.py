"""The caseworkers' desk: a web page over the robot's database, rendered here, that works without scripts.

::

    site       puts the application together from the rooms below: the place to add one
    rights     which role may do what, in one table
    door       every request goes through it: session, right, form token, size, and errors as pages
    visit      what a page is given: who is there, in which language, and how to render
    signing    sign in and out, with a password or vouched for by a reverse proxy
    books      the finance system as the desk asks it, with patience that ends
    *_page     the rooms: the queue, an item, the map, the ladder, the log and so on, as `site` names them
"""

from vardag.app.desk.site import build

__all__ = ["build"]
