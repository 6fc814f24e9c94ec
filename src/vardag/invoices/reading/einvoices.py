"""Electronic invoices: Peppol BIS Billing 3 (UBL 2.1) and Svefaktura 1.0, as lines of labelled text.

The text goes through the same reader as a letter does, and can be shown to a person with the marks in it.
"""

from lxml import etree

ROOTS = {"Invoice", "CreditNote"}
# Line, and where it stands: local names from the root, the first path that is there.
FIELDS = {
    "Invoice number": ("ID",),
    "Payment reference": ("PaymentMeans/PaymentID", "PaymentMeans/PayeeFinancialAccount/PaymentInstructionID"),
    "Amount due": ("LegalMonetaryTotal/PayableAmount", "LegalTotal/TaxInclusiveTotalAmount"),
    "Buyer organisation number": (
        "AccountingCustomerParty/Party/PartyLegalEntity/CompanyID",
        "BuyerParty/Party/PartyTaxScheme/CompanyID",
    ),
    "Seller": (
        "AccountingSupplierParty/Party/PartyLegalEntity/CompanyID",
        "SellerParty/Party/PartyTaxScheme/CompanyID",
    ),
}


class NotAnInvoiceError(ValueError):
    """The file is no electronic invoice, or not one that can be read without danger."""


def read_einvoice(data: bytes) -> tuple[str, bool]:
    """Lines of an electronic invoice, and whether it is a credit note.

    Nothing is fetched and no entity is expanded; a file that declares any is refused.
    """
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise NotAnInvoiceError("it declares a document type")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, recover=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise NotAnInvoiceError("it is not well-formed") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotAnInvoiceError("it declares a document type")
    invoice = next((element for element in root.iter() if _local(element) in ROOTS), None)
    if invoice is None:
        raise NotAnInvoiceError("it has no Invoice in it")
    lines = [f"{label}: {value}" for label, paths in FIELDS.items() if (value := _first(invoice, paths))]
    return "\n".join(lines), _local(invoice) == "CreditNote" or _text(invoice, "InvoiceTypeCode") == "381"


def _first(invoice: etree._Element, paths: tuple[str, ...]) -> str:
    return next((value for path in paths if (value := _text(invoice, path))), "")


def _text(element: etree._Element | None, path: str) -> str:
    """Text at a path of local names; one line, and no longer than such a field is."""
    for name in path.split("/"):
        element = next((child for child in element if _local(child) == name), None) if element is not None else None
    if element is None:
        return ""
    text = " ".join((element.text or "").split())[:100]
    return f"{text} {element.get('currencyID', '')[:3]}".strip()


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
