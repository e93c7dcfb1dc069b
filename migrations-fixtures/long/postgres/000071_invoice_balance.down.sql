DROP VIEW invoice_balance;
