"""The labelled corpus of mails and the means to build them."""
