DELETE FROM invoices WHERE number = '2020-0001';
