DROP TABLE invoice_lines;
DROP TABLE invoices;
DROP SEQUENCE invoice_number;
