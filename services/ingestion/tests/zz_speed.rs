mod common;
use std::time::Instant;
use serde_json::json;
use tonghop_ingestion::{check::check, json as j, csv_form, submission::Limits};
#[test]
fn speed() {
    let r = common::real();
    let communes: Vec<_> = r.units().iter().filter(|u| u.level.0==3 && u.in_force("2026-01-14".parse().unwrap())).map(|u| u.code.clone()).collect();
    let mut v = vec![]; let mut c = String::from("unit_code,indicator,breakdown,period,scope,value,qualifier,not_available_reason,programme\n");
    for i in 0..100_000usize {
        let u=&communes[i%communes.len()]; let m=format!("2026-M{:02}", 1+(i/communes.len())%12);
        let (ind,ch)=if i/communes.len()/12==0 {("tg01","undivided")} else {("tg01","in-person")};
        let n = i/communes.len();
        let (ind,bd) = if n%2==0 {("tt01", json!({"reporter":"cong-an","channel":"undivided","venue":"undivided"}))} else {("tg02-useful-tips", json!({"reporter":"cong-an"}))};
        c.push_str(&format!("{u},{ind},{},{m},own,{i},,,CTPH-09\n", bd.as_object().unwrap().iter().map(|(k,v)|format!("{k}={}",v.as_str().unwrap())).collect::<Vec<_>>().join("|")));
        v.push(json!({"unit":u,"indicator":ind,"period":if n>=12 {format!("2027-M{:02}",1+n%12)} else {m},"scope":"own","value":i.to_string(),"qualifier":"exact","breakdown":bd,"programmes":["CTPH-09"]}));
    }
    let doc=common::submission(&v); eprintln!("{} bytes json", doc.len());
    for _ in 0..3 {
    let t=Instant::now(); let raw=j::parse(doc.as_bytes(),&Limits::default()).unwrap(); eprintln!("json parse {:?}", t.elapsed());
    let t=Instant::now(); let ok=check(r,&raw,&Limits::default()); eprintln!("check {:?} {}", t.elapsed(), match &ok {Ok(c)=>c.figures.len(),Err(e)=>{eprintln!("{:?}",e[0]);0}});
    let t=Instant::now(); let raw=csv_form::parse(c.as_bytes(),"x","",&Limits::default()).unwrap(); eprintln!("csv parse {:?}", t.elapsed());
    let t=Instant::now(); let n=check(r,&raw,&Limits::default()).map_err(|e| e.len()).map(|c|c.figures.len()); eprintln!("check csv {:?} {n:?}", t.elapsed());
    let mut bad=raw.clone(); for f in &mut bad.figures { f.unit="99999".into(); f.indicator="tg01-crime-tipz".into(); f.breakdown=tonghop_ingestion::submission::RawBreakdown::Text("x=y".into()) }
    let t=Instant::now(); let n=check(r,&bad,&Limits::default()).map_err(|e| e.len()).map(|c|c.figures.len()); eprintln!("check bad {:?} {n:?}", t.elapsed());
    }
}
