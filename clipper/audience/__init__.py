"""Chat, order, card and viewer logs to one AudienceLog: one reader per file."""
