alter table attachments add constraint attachments_owner check ((issue_id is null) <> (comment_id is null));
