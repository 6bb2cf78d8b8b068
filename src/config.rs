//! Settings: flag over environment over file over default; unknown keys are refused.
