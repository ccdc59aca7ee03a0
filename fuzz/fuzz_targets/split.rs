#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    ckaad_data::fuzzing::split(bytes);
});
