"""What the pages share: shell, texts, remembered choices, colours, drawings. `tl_core` knows none of it."""
