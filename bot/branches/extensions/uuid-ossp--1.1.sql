-- uuid-ossp's functions with the same names, arguments and results (RFC 9562), in SQL.

CREATE FUNCTION uuid_nil() RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT '00000000-0000-0000-0000-000000000000'::pg_catalog.uuid $$;
CREATE FUNCTION uuid_ns_dns() RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;
CREATE FUNCTION uuid_ns_url() RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;
CREATE FUNCTION uuid_ns_oid() RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;
CREATE FUNCTION uuid_ns_x500() RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::pg_catalog.uuid $$;

CREATE FUNCTION uuid_generate_v4() RETURNS uuid
  VOLATILE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT pg_catalog.gen_random_uuid() $$;

-- 100-nanosecond steps since 1582-10-15, a random clock sequence, and a random node with the multicast bit set.
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid
  VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  steps bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 10 + 122192928000000000;
  hex text := lpad(to_hex(steps), 16, '0');
  noise bytea := uuid_send(gen_random_uuid());
BEGIN
  RETURN (substr(hex, 9, 8) || '-' || substr(hex, 5, 4) || '-1' || substr(hex, 2, 3) || '-'
    || encode(substr(set_byte(noise, 8, (get_byte(noise, 8) & 63) | 128), 9, 2), 'hex') || '-'
    || encode(substr(set_byte(noise, 10, get_byte(noise, 10) | 1), 11, 6), 'hex'))::uuid;
END $$;

-- The same: a branch database has no network card to name.
CREATE FUNCTION uuid_generate_v1() RETURNS uuid
  VOLATILE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT @extschema@.uuid_generate_v1mc() $$;

CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  hash bytea := decode(md5(uuid_send(namespace) || convert_to(name, 'UTF8')), 'hex');
BEGIN
  hash := set_byte(hash, 6, (get_byte(hash, 6) & 15) | 48);
  RETURN encode(set_byte(hash, 8, (get_byte(hash, 8) & 63) | 128), 'hex')::uuid;
END $$;

-- SHA-1 (FIPS 180-4), which the server itself does not offer.
CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  words bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; next_a bigint;
  h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  mask CONSTANT bigint := 4294967295;
  message bytea;
  hash bytea := '';
  data bytea := uuid_send(namespace) || convert_to(name, 'UTF8');
BEGIN
  message := data || '\x80'::bytea || decode(repeat('00', (119 - length(data) % 64) % 64), 'hex') || int8send(length(data)::bigint * 8);
  FOR part IN 0 .. length(message) / 64 - 1 LOOP
    FOR i IN 0 .. 79 LOOP
      IF i < 16 THEN
        words[i] := (get_byte(message, part * 64 + i * 4)::bigint << 24) | (get_byte(message, part * 64 + i * 4 + 1) << 16)
          | (get_byte(message, part * 64 + i * 4 + 2) << 8) | get_byte(message, part * 64 + i * 4 + 3);
      ELSE
        f := words[i - 3] # words[i - 8] # words[i - 14] # words[i - 16];
        words[i] := ((f << 1) | (f >> 31)) & mask;
      END IF;
    END LOOP;
    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    FOR i IN 0 .. 79 LOOP
      IF i < 20 THEN f := (b & c) | ((~b & mask) & d); k := 1518500249;
      ELSIF i < 40 THEN f := b # c # d; k := 1859775393;
      ELSIF i < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
      ELSE f := b # c # d; k := 3395469782;
      END IF;
      next_a := ((((a << 5) | (a >> 27)) & mask) + f + e + k + words[i]) & mask;
      e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := next_a;
    END LOOP;
    h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
  END LOOP;
  FOR i IN 1 .. 5 LOOP
    hash := hash || substr(int8send(h[i]), 5, 4);
  END LOOP;
  hash := set_byte(substr(hash, 1, 16), 6, (get_byte(hash, 6) & 15) | 80);
  RETURN encode(set_byte(hash, 8, (get_byte(hash, 8) & 63) | 128), 'hex')::uuid;
END $$;
