DROP INDEX CONCURRENTLY attachments_content;
