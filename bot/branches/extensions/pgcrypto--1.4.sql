-- pgcrypto's functions with the same names and arguments. Hashes, HMAC and random bytes are right. crypt() and gen_salt()
-- have the right form and agree with each other, so that seeds run, but are not what the real ones return. What encrypts
-- raises an error that says so.

CREATE FUNCTION digest(data bytea, type text) RETURNS bytea
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  words bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; next_a bigint;
  h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  mask CONSTANT bigint := 4294967295;
  message bytea;
  hash bytea := '';
BEGIN
  CASE lower(type)
    WHEN 'md5' THEN RETURN decode(md5(data), 'hex');
    WHEN 'sha224' THEN RETURN sha224(data);
    WHEN 'sha256' THEN RETURN sha256(data);
    WHEN 'sha384' THEN RETURN sha384(data);
    WHEN 'sha512' THEN RETURN sha512(data);
    WHEN 'sha1' THEN NULL;
    ELSE RAISE EXCEPTION 'Cannot use "%": No such hash algorithm', type USING ERRCODE = 'invalid_parameter_value';
  END CASE;
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
  RETURN hash;
END $$;
CREATE FUNCTION digest(data text, type text) RETURNS bytea
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT @extschema@.digest(pg_catalog.convert_to(data, 'UTF8'), type) $$;

CREATE FUNCTION hmac(data bytea, key bytea, type text) RETURNS bytea
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  block int := CASE WHEN lower(type) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
  inner_pad bytea;
  outer_pad bytea;
BEGIN
  IF length(key) > block THEN
    key := @extschema@.digest(key, type);
  END IF;
  key := key || decode(repeat('00', block - length(key)), 'hex');
  inner_pad := key;
  outer_pad := key;
  FOR i IN 0 .. block - 1 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
    outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
  END LOOP;
  RETURN @extschema@.digest(outer_pad || @extschema@.digest(inner_pad || data, type), type);
END $$;
CREATE FUNCTION hmac(data text, key text, type text) RETURNS bytea
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT @extschema@.hmac(pg_catalog.convert_to(data, 'UTF8'), pg_catalog.convert_to(key, 'UTF8'), type) $$;

CREATE FUNCTION gen_random_uuid() RETURNS uuid
  VOLATILE PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT pg_catalog.gen_random_uuid() $$;

-- Each block hashes 244 random bits to 32 bytes.
CREATE FUNCTION gen_random_bytes(size int) RETURNS bytea
  VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  noise bytea := '';
BEGIN
  IF size < 1 OR size > 1024 THEN
    RAISE EXCEPTION 'Length not in range' USING ERRCODE = 'external_routine_invocation_exception';
  END IF;
  WHILE length(noise) < size LOOP
    noise := noise || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  END LOOP;
  RETURN substr(noise, 1, size);
END $$;

CREATE FUNCTION gen_salt(type text, rounds int) RETURNS text
  VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  noise text := translate(encode(@extschema@.gen_random_bytes(32), 'base64'), '+=' || chr(10), '..');
BEGIN
  CASE type
    WHEN 'bf' THEN RETURN '$2a$' || lpad((CASE WHEN rounds = 0 THEN 6 ELSE rounds END)::text, 2, '0') || '$' || left(noise, 22);
    WHEN 'md5' THEN RETURN '$1$' || left(noise, 8);
    WHEN 'xdes' THEN RETURN '_J9..' || left(noise, 4);
    WHEN 'des' THEN RETURN left(noise, 2);
    WHEN 'sha256crypt' THEN RETURN '$5$rounds=' || (CASE WHEN rounds = 0 THEN 5000 ELSE rounds END)::text || '$' || left(noise, 16);
    WHEN 'sha512crypt' THEN RETURN '$6$rounds=' || (CASE WHEN rounds = 0 THEN 5000 ELSE rounds END)::text || '$' || left(noise, 16);
    ELSE RAISE EXCEPTION 'gen_salt: Unknown salt algorithm' USING ERRCODE = 'invalid_parameter_value';
  END CASE;
END $$;
CREATE FUNCTION gen_salt(type text) RETURNS text
  VOLATILE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT @extschema@.gen_salt(type, 0) $$;

CREATE FUNCTION crypt(password text, setting text) RETURNS text
  IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql SET search_path = pg_catalog
  AS $$
DECLARE
  salt text := CASE
    WHEN setting LIKE '$2_$__$%' THEN left(setting, 29)
    WHEN setting LIKE '$%' THEN substring(setting FROM '^\$[0-9]\$(?:rounds=[0-9]+\$)?[^$]{0,16}') || '$'
    WHEN setting LIKE '\_%' THEN left(setting, 9)
    ELSE left(setting, 2)
  END;
  size int := CASE
    WHEN setting LIKE '$2%' THEN 31 WHEN setting LIKE '$1$%' THEN 22 WHEN setting LIKE '$5$%' THEN 43
    WHEN setting LIKE '$6$%' THEN 86 ELSE 11
  END;
BEGIN
  IF salt IS NULL OR length(salt) < 2 THEN
    RAISE EXCEPTION 'invalid salt' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN salt || left(translate(encode(sha512(convert_to(salt || password, 'UTF8')), 'base64'), '+=' || chr(10), '..'), size);
END $$;

CREATE FUNCTION encrypt(data bytea, key bytea, type text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: encrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION decrypt(data bytea, key bytea, type text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: decrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION encrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: encrypt_iv() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION decrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: decrypt_iv() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_encrypt(data text, psw text) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_encrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_encrypt(data text, psw text, options text) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_encrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_encrypt_bytea(data bytea, psw text) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_encrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_encrypt_bytea(data bytea, psw text, options text) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_encrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_decrypt(msg bytea, psw text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_decrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_decrypt(msg bytea, psw text, options text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_decrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_decrypt_bytea(msg bytea, psw text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_decrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_sym_decrypt_bytea(msg bytea, psw text, options text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_sym_decrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_encrypt(data text, key bytea) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_encrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_encrypt(data text, key bytea, options text) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_encrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_encrypt_bytea(data bytea, key bytea) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_encrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_encrypt_bytea(data bytea, key bytea, options text) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_encrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_decrypt(msg bytea, key bytea) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_decrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_decrypt(msg bytea, key bytea, psw text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_decrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_decrypt(msg bytea, key bytea, psw text, options text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_decrypt() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_decrypt_bytea(msg bytea, key bytea) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_decrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_decrypt_bytea(msg bytea, key bytea, psw text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_decrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_pub_decrypt_bytea(msg bytea, key bytea, psw text, options text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_pub_decrypt_bytea() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_key_id(data bytea) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_key_id() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION armor(data bytea) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: armor() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION armor(data bytea, keys text[], vals text[]) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: armor() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION dearmor(data text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: dearmor() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
CREATE FUNCTION pgp_armor_headers(data text, OUT key text, OUT value text) RETURNS SETOF record IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RAISE EXCEPTION 'branch databases have a partial pgcrypto: pgp_armor_headers() is not there' USING ERRCODE = 'feature_not_supported'; END $$;
