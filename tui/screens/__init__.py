"""The screens: the one where everything happens, and the dialogs over it."""
