-- Open pull requests whose migrations will collide when the other one is merged.

ALTER TABLE pull
    ADD COLUMN claim jsonb,   -- what the migrations of its head claim
    ADD COLUMN told jsonb,    -- the claim, and the base, that the others were told of
    ADD COLUMN rivals text;   -- a mark of the collisions that its check shows
