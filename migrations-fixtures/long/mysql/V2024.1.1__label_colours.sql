UPDATE labels SET colour = UPPER(colour);
