// Placeholder until this room's first source lands.
