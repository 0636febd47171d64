"""How far a corpus agrees with texts, token by token: the measure of the Infini-gram paper."""
