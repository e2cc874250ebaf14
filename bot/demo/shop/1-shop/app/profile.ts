import { sql } from "drizzle-orm";

import { db } from "../lib/database/connection-standard";

export async function greeting(id: number) {
  const [row] = (await db.execute(sql`select nickname from users where id = ${id}`)).rows;
  return `Hello ${row.nickname}!`;
}
