UPDATE notes SET author = 'Mina';
