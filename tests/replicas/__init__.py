"""Several servers over one store: any request may hit any of them, and any of them may die."""
