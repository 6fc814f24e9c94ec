"""Mail servers for the demo and the tests: IMAP by Dovecot (or pymap) and SMTP, on loopback, on one mail folder."""
