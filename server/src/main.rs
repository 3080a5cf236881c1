fn main() { println!("facteur"); }
