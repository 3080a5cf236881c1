export class Postgres {
  static start(): Promise<Postgres>;
  url(database: string): string;
  sql(statement: string, database?: string): string;
  dump(database: string): string;
  stop(): Promise<void>;
}
