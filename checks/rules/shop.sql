-- The database that every example of a rule finds.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name varchar(100),
  nickname text,
  phone text,
  mood mood DEFAULT 'ok'
);
ALTER TABLE users ADD CONSTRAINT users_phone_set CHECK (phone IS NOT NULL);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint,
  amount numeric(12, 2) CONSTRAINT orders_amount_check CHECK (amount > 0),
  placed_at timestamptz DEFAULT now()
);
CREATE INDEX orders_user_id_idx ON orders (user_id);
CREATE TABLE events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint,
  position integer,
  seen_at timestamp,
  payload jsonb
);
CREATE TABLE bookings (id bigint PRIMARY KEY, during tstzrange);
CREATE TABLE metrics (at date, value integer) PARTITION BY RANGE (at);
CREATE TABLE metrics_2030 (at date, value integer);
CREATE TABLE metrics_2031 (at date, value integer);
CREATE MATERIALIZED VIEW daily_orders AS SELECT date_trunc('day', placed_at AT TIME ZONE 'UTC') AS day, count(*) FROM orders GROUP BY 1;
CREATE UNIQUE INDEX daily_orders_day ON daily_orders (day);
CREATE VIEW big_orders AS SELECT id, amount FROM orders WHERE amount > 1000;
