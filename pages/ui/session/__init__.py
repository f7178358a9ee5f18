"""What a person's session keeps; the only place that touches st.session_state."""
