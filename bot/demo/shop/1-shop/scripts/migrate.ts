import { migrate } from "drizzle-orm/neon-serverless/migrator";

import { db, pool } from "../lib/database/connection-standard";

await migrate(db, { migrationsFolder: "lib/database/migrations" });
await pool.end();
