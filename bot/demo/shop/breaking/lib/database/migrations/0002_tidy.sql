ALTER TABLE "orders" ALTER COLUMN "total" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "currency" text NOT NULL;--> statement-breakpoint
ALTER TABLE "users" DROP COLUMN "nickname";