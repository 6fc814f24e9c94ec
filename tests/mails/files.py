"""Electronic invoices for the corpus."""

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
  <cbc:ID>{number}</cbc:ID>
  <cbc:IssueDate>2026-02-01</cbc:IssueDate>
  <cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity>
    <cbc:CompanyID schemeID="0007">2120000878</cbc:CompanyID>
  </cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty><cac:Party><cac:PartyLegalEntity>
    <cbc:CompanyID schemeID="0007">{buyer}</cbc:CompanyID>
  </cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>
  <cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>
    <cbc:PaymentID>{reference}</cbc:PaymentID></cac:PaymentMeans>
  <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="SEK">{amount}</cbc:PayableAmount></cac:LegalMonetaryTotal>
</{root}>
"""
SVEFAKTURA = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:sfti:documents:BasicInvoice:1:0" xmlns:cac="urn:sfti:CommonAggregateComponents:1:0"
 xmlns:cbc="urn:oasis:names:tc:ubl:CommonBasicComponents:1:0">
  <ID>{number}</ID>
  <cbc:IssueDate>2026-02-01</cbc:IssueDate>
  <InvoiceTypeCode>380</InvoiceTypeCode>
  <cac:BuyerParty><cac:Party><cac:PartyTaxScheme><cac:CompanyID>{buyer}</cac:CompanyID></cac:PartyTaxScheme>
  </cac:Party></cac:BuyerParty>
  <cac:SellerParty><cac:Party><cac:PartyTaxScheme><cac:CompanyID>2120000878</cac:CompanyID></cac:PartyTaxScheme>
  </cac:Party></cac:SellerParty>
  <cac:PaymentMeans><cac:PayeeFinancialAccount><cac:ID>50501055</cac:ID>
    <cac:PaymentInstructionID>{reference}</cac:PaymentInstructionID></cac:PayeeFinancialAccount></cac:PaymentMeans>
  <cac:LegalTotal>
    <cbc:TaxInclusiveTotalAmount amountCurrencyID="SEK">{amount}</cbc:TaxInclusiveTotalAmount></cac:LegalTotal>
</Invoice>
"""


def einvoice(sort: str, fields: dict[str, str]) -> bytes:
    """A Peppol BIS Billing 3 invoice or credit note, or a Svefaktura 1.0."""
    if sort == "svefaktura":
        return SVEFAKTURA.format(**fields).encode()
    return UBL.format(root="CreditNote" if sort == "creditnote" else "Invoice", **fields).encode()
