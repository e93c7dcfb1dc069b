-- Half the file was free pages by now.
VACUUM;
